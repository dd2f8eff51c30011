// The frame of the console: which page the address names, and whether the server is there.

import {find_api} from "./api.js";
import {el, set_text} from "./dom.js";
import {connect, watch} from "./live.js";
import {overview_page} from "./overview.js";
import {stream_page} from "./stream.js";
import {streams_page} from "./streams.js";
import {video_page} from "./video.js";
import {videos_page} from "./videos.js";

const PAGES = [
  [/^$/, overview_page, "Overview"],
  [/^streams$/, streams_page, "Streams"],
  [/^streams\/([^/]+)\/([^/]+)$/, stream_page, "Stream"],
  [/^videos$/, videos_page, "Videos"],
  [/^videos\/(\d+)$/, video_page, "Video"],
];
const root = document.querySelector("#page");
let end_page = () => {};

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function show_page(first) {
  const path = location.hash.replace(/^#\/?/, "");
  end_page();
  end_page = () => {};
  root.replaceChildren();
  const found = PAGES.map(([pattern, make, title]) => ({match: pattern.exec(path), make, title}))
    .find(({match}) => match !== null);
  document.title = `${found?.title ?? "Not found"} – Recording`;
  for (const link of document.querySelectorAll("header nav a")) {
    const target = link.getAttribute("href").replace(/^#\/?/, "");
    const current = target === "" ? path === "" : path.split("/")[0] === target;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (found) end_page = found.make(root, ...found.match.slice(1).map(decoded)) ?? (() => {});
  else root.append(el("h1", {}, "Not found"), el("p", {}, "There is no such page."));
  if (!first) {
    root.focus({preventScroll: true});
    scrollTo(0, 0);
  }
}

async function begin() {
  const connection = document.querySelector("#connection");
  watch((kind, now) => {
    if (kind === "connection") set_text(connection, now ? "Connected" : "Disconnected: trying again…");
  });
  document.querySelector(".skip").addEventListener("click", event => {
    event.preventDefault();  // the address names the page
    root.focus();
  });
  for (;;) {
    try {
      await find_api();
      break;
    } catch (error) {
      set_text(connection, `Disconnected: ${error.message}`);
      document.documentElement.dataset.connected = "false";
      await new Promise(done => setTimeout(done, 3000));
    }
  }
  addEventListener("hashchange", () => show_page(false));
  show_page(true);
  connect();
}

begin();
