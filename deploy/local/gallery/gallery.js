// Shows each picture of the bucket with its renditions. What became of an event is read from the buckets: a rendition's
// metadata names the generation that it was made of, and the storage server's own clock dates both.

import { list, media, source, upload } from "./storage.js";

const SOURCES = "photos";
const TARGET = "thumbs";
const INTERVAL = 400; // milliseconds between two looks at the buckets

const drop = document.querySelector("#drop");
const pictures = document.querySelector("#pictures");
const shown = new Map(); // by name: { element, generation }

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const bytes = (count) =>
  count < 1024 ? `${count} B` : count < 1024 ** 2 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 ** 2).toFixed(1)} MiB`;

/** The picture's place on the page, the newest on top. */
function place(name) {
  if (!shown.has(name)) {
    const article = element("article", {}, element("h2", { textContent: name }));
    article.dataset.name = name;
    article.append(
      element("div", { className: "original" }, element("img", { alt: "the original" }), element("p")),
      element("div", {}, element("p", { className: "event waiting" }), element("div", { className: "renditions" })),
    );
    pictures.prepend(article);
    shown.set(name, { article });
  }
  return shown.get(name);
}

/** Shows the text that `text` makes of the picture's size, as soon as the size is known; a load that fails is tried again. */
function showImage(image, url, text) {
  image.addEventListener("load", () => text(`${image.naturalWidth}x${image.naturalHeight}`), { once: true });
  image.addEventListener("error", () => setTimeout(() => (image.src = url), 1000));
  image.src = url;
}

function showSource(object) {
  const entry = place(object.name);
  if (entry.generation === object.generation) return entry;
  entry.generation = object.generation;
  entry.renditions = new Map();
  const { article } = entry;
  entry.after = 0;
  showImage(article.querySelector(".original img"), media(object), (size) => {
    entry.original = `${size}, ${bytes(Number(object.size))}`;
    describe(entry);
  });
  article.querySelector(".renditions").replaceChildren();
  const event = article.querySelector(".event");
  event.className = "event waiting";
  event.textContent = `finalize ${object.bucket}/${object.name} #${object.generation}: no rendition yet`;
  return entry;
}

/** Says of the original what is known by now: the upload and the picture's size come in either order. */
function describe({ article, original, uploaded }) {
  const took = uploaded === undefined ? [] : [`uploaded in ${Math.round(uploaded)} ms`];
  article.querySelector(".original p").textContent = [...(original ? [original] : []), ...took].join(", ");
}

function showRendition(entry, picture, object) {
  if (entry.renditions.get(object.name) === object.generation) return;
  const { width, height, rendition } = object.metadata ?? {};
  const figure = element("figure", {}, element("img", { alt: `rendition ${object.name}` }), element("figcaption"));
  figure.dataset.name = object.name;
  const old = [...entry.article.querySelectorAll("figure")].find((other) => other.dataset.name === object.name);
  const after = Date.parse(object.timeCreated) - Date.parse(picture.timeCreated);
  showImage(figure.querySelector("img"), media(object), (natural) => {
    const size = width && height ? `${width}x${height}` : natural;
    figure.querySelector("figcaption").textContent =
      `${object.name}: ${size}, ${bytes(Number(object.size))}, ${after} ms after the upload${rendition ? ` (${rendition})` : ""}`;
  });
  if (old) old.replaceWith(figure);
  else entry.article.querySelector(".renditions").append(figure);
  entry.renditions.set(object.name, object.generation);
  entry.after = Math.max(entry.after, after);
  const event = entry.article.querySelector(".event");
  event.className = "event";
  const count = entry.renditions.size;
  event.textContent =
    `finalize ${picture.bucket}/${picture.name} #${picture.generation}: ` +
    `${count} rendition${count > 1 ? "s" : ""} stored within ${entry.after} ms`;
}

async function look() {
  // The target first: so whatever is found there has its source in the other listing.
  const renditions = await list(TARGET);
  const sources = new Map((await list(SOURCES)).map((object) => [object.name, object]));
  for (const object of sources.values()) showSource(object);
  for (const object of renditions) {
    const of = source(object);
    const picture = sources.get(of.name);
    if (picture && of.bucket === SOURCES && of.generation === picture.generation) {
      showRendition(shown.get(of.name), picture, object);
    }
  }
  const done = [...shown.values()].filter((entry) => entry.renditions?.size).length;
  document.querySelector("#count").textContent = `${done} of ${shown.size} pictures have renditions`;
}

async function send(file) {
  const entry = place(file.name);
  const event = entry.article.querySelector(".event");
  event.className = "event waiting";
  event.textContent = "uploading";
  const start = performance.now();
  try {
    await upload(SOURCES, file);
    entry.uploaded = performance.now() - start;
    describe(entry);
  } catch (error) {
    event.textContent = `upload refused: ${error.message}`;
  }
}

function take(files) {
  for (const file of files) send(file);
}

drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
drop.addEventListener("dragleave", () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  take(event.dataTransfer.files);
});
document.querySelector("#choose").addEventListener("change", (event) => take(event.target.files));

for (;;) {
  try {
    await look();
  } catch {
    document.querySelector("#count").textContent = "the storage server doesn't answer; trying again";
  }
  await new Promise((resolve) => setTimeout(resolve, INTERVAL));
}
