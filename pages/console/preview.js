// The picture of a stream: live, or the poster of its newest recording.

import {get, local} from "./api.js";
import {el, set_text} from "./dom.js";
import {throttled} from "./live.js";

const AGAIN_MS = 5000;
// The newest may be recorded still, or its pictures not made yet.
const LOOKED_AT = 5;

// The player page, which waits and comes back by itself.
export const live_player = stream => el("iframe", {class: "player", src: local(stream.iframe_url),
  title: `Live picture of ${stream.name}`, allow: "autoplay; fullscreen"});

// {node, look, end}: a poster, asked for while it can be seen, over which the live picture is
// called. look(): there may be another one.
export function preview(stream) {
  const picture = el("img", {alt: "", hidden: true}), words = el("span", {class: "caption"});
  const node = el("div", {class: "preview"}, picture, words);
  if (stream.iframe_url === null) {
    set_text(words, "No live playback");
  } else {
    node.append(el("button", {type: "button", "aria-label": `Preview: ${stream.name}`, onclick: () => {
      end();
      node.replaceChildren(live_player(stream));
    }}, "▶ Live"));
  }
  let seen = false;

  const ask = throttled(async () => {
    const videos = await get(`videos?stream_id=${stream.id}&per_page=${LOOKED_AT}&fields=screenshot`);
    const link = videos.find(video => video.screenshot)?.screenshot;
    picture.hidden = !link;
    if (!link) return;
    const url = new URL(local(link), location.href);
    // A signature is new with every answer.
    if (picture.src === "" || new URL(picture.src).pathname !== url.pathname) picture.src = url.href;
    set_text(words, "Newest recording");
  }, AGAIN_MS);

  function look() {
    if (seen && stream.id !== null) ask();
  }
  const observer = new IntersectionObserver(entries => {
    seen = entries.at(-1).isIntersecting;
    look();
  });
  observer.observe(node);
  function end() {
    observer.disconnect();
    ask.end();
  }
  return {node, look, end};
}
