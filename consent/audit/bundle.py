"""A zip file of which the same files always make the same bytes, with a manifest."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any, Final

# The earliest that a zip file can say: a pack is about what it holds, not about today.
_DATE: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
_MODE: Final = 0o644 << 16


def bundle(files: Mapping[str, bytes], *, about: Mapping[str, Any]) -> bytes:
    """A zip file with the files in the order of their names, and `manifest.json`.

    The manifest has the members of `about` and, for each file, its length and SHA-256.
    """
    listed = {
        name: {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        for name, body in sorted(files.items())
    }
    manifest = as_json({**about, "files": listed})
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
        for name, body in sorted({**files, "manifest.json": manifest}.items()):
            info = zipfile.ZipInfo(name, date_time=_DATE)
            info.create_system, info.external_attr = _UNIX, _MODE
            info.compress_type = zipfile.ZIP_DEFLATED
            pack.writestr(info, body)
    return out.getvalue()


def as_json(value: object) -> bytes:
    """JSON for people and programs: indented, keys in order, text as it is."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()
