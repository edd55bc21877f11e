"""The short Python answer: functions-framework, google-cloud-storage and Pillow, as a tutorial puts them together."""

import base64
import io
import json
import os

import functions_framework
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from PIL import Image

# The client itself honours STORAGE_EMULATOR_HOST.
client = storage.Client(project="bench", credentials=AnonymousCredentials())
thumbnails = client.bucket(os.environ["TARGET_BUCKET"])


@functions_framework.http
def push(request):
    if request.path == "/health":
        return "ok"
    event = json.loads(base64.b64decode(request.get_json()["message"]["data"]))
    name = event["name"]
    if not name.lower().endswith((".jpg", ".jpeg", ".png")):
        return "", 204
    source = client.bucket(event["bucket"]).blob(name).download_as_bytes()
    picture = Image.open(io.BytesIO(source))
    picture.thumbnail((128, 128))
    png = io.BytesIO()
    picture.save(png, "PNG")
    thumbnails.blob(f"thumbnails/{name}").upload_from_string(png.getvalue(), content_type="image/png")
    return "", 204
