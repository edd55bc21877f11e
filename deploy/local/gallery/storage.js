// Cloud Storage's JSON API, as far as a page needs it; the page comes from the same server, so no CORS is involved.

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const media = (object) =>
  `/storage/v1/b/${object.bucket}/o/${encodeURIComponent(object.name)}?alt=media&generation=${object.generation}`;

/** Uploads a file and returns its object; tries again where the server doesn't answer. */
export async function upload(bucket, file) {
  const url = `/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${encodeURIComponent(file.name)}`;
  for (;;) {
    try {
      const answer = await fetch(url, { method: "POST", body: file });
      if (answer.ok) return await answer.json();
      if (answer.status < 500) throw new Refused(`${answer.status} ${await answer.text()}`);
    } catch (error) {
      if (error instanceof Refused) throw error;
    }
    await pause(1000);
  }
}

class Refused extends Error {}

/** All objects of a bucket. */
export async function list(bucket) {
  const objects = [];
  let page = "";
  do {
    const answer = await fetch(`/storage/v1/b/${bucket}/o?pageToken=${encodeURIComponent(page)}`);
    if (!answer.ok) throw new Error(`list ${bucket}: ${answer.status}`);
    const { items = [], nextPageToken = "" } = await answer.json();
    objects.push(...items);
    page = nextPageToken;
  } while (page);
  return objects;
}

/** Of which picture a stored object is the rendition: by its metadata, or by its name in objects that lack the key. */
export function source({ name, metadata = {} }) {
  return {
    bucket: metadata["source-bucket"],
    name: metadata["source-name"] ?? name.replace(/^thumbnails\//, ""),
    generation: metadata["source-generation"],
  };
}
