// Shows the placeholder of each rendition, in the size that its metadata tells, and on a click the picture itself.

import { list, media } from "../storage.js";
import { decode } from "./thumbhash.js";

function placeholder(hash) {
  const { width, height, data } = decode(Uint8Array.from(atob(hash), (character) => character.charCodeAt(0)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  canvas.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
  return `url(${canvas.toDataURL()})`;
}

for (const object of await list("thumbs")) {
  const { width, height, thumbhash, "source-name": name } = object.metadata;
  const image = Object.assign(new Image(Number(width), Number(height)), { alt: "" });
  image.dataset.name = name;
  image.dataset.source = media(object);
  image.style.backgroundImage = placeholder(thumbhash);
  document.querySelector("main").append(image);
}

document.querySelector("#show").addEventListener("click", () => {
  for (const image of document.images) {
    image.addEventListener("load", () => image.style.removeProperty("background-image"));
    image.src = image.dataset.source;
  }
});
document.body.dataset.ready = "true";
