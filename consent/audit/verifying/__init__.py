"""What `verify_ledger` holds against each other, each part by its subject.

Parts of a log are checked apart from each other, in several processes where there are
several: each answers with what it found wrong and with the hashes that the whole tree
is put together from.
"""
