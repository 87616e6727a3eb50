"""Where the images of an order come from: files of this backend, or bytes carried in a data: URI.

Owns: turning a reference into the name of a file here, and reading the size of its picture.
Refuses: every other address. Nothing is ever fetched.
"""

import base64
import binascii
import re
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from PIL import Image, UnidentifiedImageError

from aggregator.local.defaults import MAX_INPUT_IMAGE_PIXELS
from aggregator.local.files import FileStore
from aggregator.local.refusals import RefusalError, invalid

FILES_PATH: Final = "/v1/files/"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
DATA_URI: Final = re.compile(r"data:([\w/+.-]+)((?:;[\w=.-]+)*),(.*)", re.DOTALL)


def file_named_by(field: str, reference: str, own_host: str, files: FileStore) -> str:
    """The name of the file a reference means; a data: URI becomes a file first."""
    if reference.startswith("data:"):
        return _file_of_data(field, reference, files)
    parts = urlsplit(reference)
    host = parts.hostname or own_host
    # Another port of this machine is this backend before a restart; the name is a hash, so it cannot mislead.
    is_own = host == own_host or {host, own_host} <= LOOPBACK
    if not is_own or not parts.path.startswith(FILES_PATH) or parts.scheme not in ("", "http", "https"):
        raise invalid(field, "a /v1/files url of this backend or a data: URI; nothing is fetched from elsewhere")
    name = parts.path.removeprefix(FILES_PATH)
    files.path(name)
    return name


def picture_size(field: str, name: str, files: FileStore) -> tuple[int, int]:
    """Width and height of an input image, from its header."""
    try:
        with Image.open(files.path(name)) as picture:
            width, height = picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as unreadable:
        raise invalid(field, "a PNG, JPEG, WebP or GIF image") from unreadable
    if width * height > MAX_INPUT_IMAGE_PIXELS:
        raise invalid(field, f"an image of at most {MAX_INPUT_IMAGE_PIXELS} pixels")
    return width, height


def _file_of_data(field: str, reference: str, files: FileStore) -> str:
    found = DATA_URI.fullmatch(reference)
    if found is None:
        raise invalid(field, "a data: URI with a type, such as data:image/png;base64,…")
    mime_type, options, data = found.groups()
    try:
        raw = base64.b64decode(data, validate=True) if ";base64" in options else unquote_to_bytes(data)
    except binascii.Error as broken:
        raise invalid(field, "a data: URI with valid base64") from broken
    if not mime_type.startswith("image/"):
        raise RefusalError(422, "invalid_input", f"{field}: a data: URI that holds an image")
    return files.keep_bytes(raw, mime_type).name
