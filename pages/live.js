// Plays the stream that the page's own address names, /…/live/{app}/{name}: as it is live, and the
// next session when this one has ended.
"use strict";

const RETRY_MS = 2000;
const HLS_TYPE = "application/vnd.apple.mpegurl";
const video = document.querySelector("video");
const note = document.querySelector("[role=status]");
// A link that is good for the page is good for the playlist.
const master = `${location.pathname.replace(/\/+$/, "")}/master.m3u8${location.search}`;
let player = null;    // of hls.js, where the browser has no HLS of its own or hls.js is better at it
let finished = null;  // the session that was played to its end

function say(text) {
  note.textContent = text;
  note.hidden = text === "";
}

function stop() {
  player?.destroy();
  player = null;
  video.removeAttribute("src");
  video.load();
}

// The server sends to the session that is live now, or to the last one.
async function look() {
  try {
    const reply = await fetch(master, {cache: "no-store"});
    if (reply.ok && reply.url !== finished) {
      play(reply.url);
      return;
    }
    say(reply.ok ? "The stream has ended." : "The stream is not live.");
  } catch {
    say("The server cannot be reached.");
  }
  setTimeout(look, RETRY_MS);
}

function play(url) {
  say("");
  let mended = false, left = false;
  const leave = ended => {
    if (left) return;
    left = true;
    video.onended = video.onerror = null;
    finished = ended ? url : null;
    stop();
    setTimeout(look, ended ? 0 : RETRY_MS);
  };
  video.onended = () => leave(true);
  if (globalThis.Hls?.isSupported()) {
    document.documentElement.dataset.player = "hls.js";
    player = new Hls({enableWorker: false});
    player.on(Hls.Events.ERROR, (_, error) => {
      if (!error.fatal) return;
      if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !mended) {
        mended = true;
        player.recoverMediaError();
      } else {
        leave(false);
      }
    });
    player.loadSource(url);
    player.attachMedia(video);
  } else if (video.canPlayType(HLS_TYPE) !== "") {
    document.documentElement.dataset.player = "native";
    video.onerror = () => leave(false);
    video.src = url;
  } else {
    say("This browser plays no HLS.");
    return;
  }
  video.play().catch(() => {});  // where that is not allowed, there is a button
}

look();
