"""Makes what the local chain needs, once all of it answers: buckets, topics, subscriptions, the gallery.

It may run any number of times. As the Pub/Sub emulator forgets all when it stops, every picture is announced anew; the
service acknowledges those that have a current thumbnail.
"""

import http.client
import json
import mimetypes
import os
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

STORAGE, PUBSUB, THUMBNAILER = (os.environ[name] for name in ("STORAGE", "PUBSUB", "THUMBNAILER"))
PROJECT = "projects/local"
PATIENCE = 120  # seconds


def call(method, url, body=None, content_type="application/json", accept=(200,)):
    """The JSON answer to a JSON or binary body; servers that are still busy with their start are asked again."""
    if isinstance(body, dict):
        body = json.dumps(body).encode()
    request = urllib.request.Request(url, body, {"content-type": content_type}, method=method)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or "{}")
        except urllib.error.HTTPError as refusal:
            content = refusal.read()
            if refusal.code in accept:
                return json.loads(content or "{}")
            failure = f"{refusal.code} {content.decode(errors='replace')}"
            if refusal.code < 500 or time.monotonic() > end:
                sys.exit(f"{method} {url}: {failure}")
        except (OSError, http.client.HTTPException) as error:
            if time.monotonic() > end:
                sys.exit(f"{method} {url}: {error}")
        time.sleep(0.2)


def wait_for(url):
    """Returns once the server answers 200."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError as error:
            if time.monotonic() > end:
                sys.exit(f"{url} doesn't answer: {error}")
            time.sleep(0.1)


def create_bucket(name):
    call("POST", f"{STORAGE}/storage/v1/b?project=local", {"name": name}, accept=(409,))


def create(path, resource):
    call("PUT", f"{PUBSUB}/v1/{PROJECT}/{path}", resource, accept=(409,))


def upload(bucket, name, file):
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    name = urllib.parse.quote(name, safe="")
    call("POST", f"{STORAGE}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={name}", file.read_bytes(), kind)


def listing(bucket):
    """The bucket's objects."""
    page = ""
    while True:
        answer = call("GET", f"{STORAGE}/storage/v1/b/{bucket}/o?pageToken={urllib.parse.quote(page, safe='')}")
        yield from answer.get("items", [])
        page = answer.get("nextPageToken", "")
        if not page:
            return


def announce(item):
    """Publishes what Cloud Storage would for the object, without a payload: the attributes name it."""
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "NONE",
        "bucketId": item["bucket"],
        "objectId": item["name"],
        "objectGeneration": item["generation"],
    }
    call("POST", f"{PUBSUB}/v1/{PROJECT}/topics/uploads:publish", {"messages": [{"attributes": attributes}]})


def main():
    for url in (f"{STORAGE}/_internal/healthcheck", f"{PUBSUB}/", f"{THUMBNAILER}/health"):
        wait_for(url)
    for bucket in ("photos", "thumbs", "gallery"):
        create_bucket(bucket)
    for topic in ("uploads", "dead-letters"):
        create(f"topics/{topic}", {})
    # A topic without a subscription keeps nothing.
    create("subscriptions/dead-letters", {"topic": f"{PROJECT}/topics/dead-letters"})
    create(
        "subscriptions/thumbnails",
        {
            "topic": f"{PROJECT}/topics/uploads",
            "pushConfig": {"pushEndpoint": f"{THUMBNAILER}/"},
            "ackDeadlineSeconds": 60,
            "deadLetterPolicy": {"deadLetterTopic": f"{PROJECT}/topics/dead-letters", "maxDeliveryAttempts": 100},
        },
    )
    for file in sorted(pathlib.Path(os.environ["GALLERY"]).iterdir()):
        upload("gallery", file.name, file)
    there = list(listing("photos"))
    for item in there:
        announce(item)
    names = {item["name"] for item in there}
    folder = pathlib.Path(os.environ["PHOTOS"])
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.suffix.lower() in (".jpg", ".jpeg", ".png") and file.is_file() and name not in names:
            upload("photos", name, file)
    port = os.environ.get("STORAGE_PORT", "4443")
    print(
        f"""ready
  gallery:   http://localhost:{port}/gallery/index.html
  upload:    curl --data-binary @tests/photos/launch.jpg "localhost:{port}/upload/storage/v1/b/photos/o?uploadType=media&name=n.jpg"
  thumbnail: curl -o thumbnail.png localhost:{port}/thumbs/thumbnails/n.jpg"""
    )


main()
