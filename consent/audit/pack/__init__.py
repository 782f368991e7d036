"""What goes into every evidence pack: texts for its reader, and a verifier.

The verifier stands alone: it imports nothing of ours, and is read by those who trust
nothing of ours either.
"""
