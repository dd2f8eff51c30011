// What webhooks have not taken: a figure, and why.

import {get} from "./api.js";
import {el, named, set_text} from "./dom.js";
import {date} from "./format.js";
import {live, throttled} from "./live.js";

function failure_row(failure) {
  const tries = failure.attempts === 1 ? "Tried once" : `Tried ${failure.attempts} times`;
  return el("li", {}, el("div", {class: "row"}, el("strong", {}, failure.type ?? "An event"),
      failure.stream === null ? null : named(failure.stream),
      el("span", {class: "quiet"}, failure.created_at ? date(failure.created_at) : "")),
    el("span", {class: "bad"}, failure.error),
    el("span", {class: "quiet"}, ` ${tries}` + (failure.next_try_at ? `; next try ${date(failure.next_try_at)}.` : ".")));
}

function webhook_rows(webhook) {
  return [el("h3", {}, named(webhook.url)),
    el("p", {class: "quiet"}, `${webhook.waiting} ${webhook.waiting === 1 ? "event waits" : "events wait"}` +
      (webhook.oldest_at ? `, the oldest since ${date(webhook.oldest_at)}.` : ".")),
    webhook.failures.length > 0 ? el("ul", {class: "plain list"}, ...webhook.failures.map(failure_row)) : null];
}

// {card, failures, draw, end}: `failures` is hidden while no delivery has failed.
export function webhook_state() {
  const waiting = el("p", {class: "figure"}), waiting_more = el("p", {class: "quiet"});
  const card = el("section", {class: "card"}, el("h2", {}, "Webhooks"), waiting, waiting_more);
  const list = el("div");
  const failures = el("section", {class: "card", hidden: true}, el("h2", {}, "Failed deliveries"), list);

  const ask = throttled(async () => {
    const failing = (await get("webhooks")).filter(webhook => webhook.failures.length > 0);
    failures.hidden = failing.length === 0;
    list.replaceChildren(...failing.flatMap(webhook_rows).filter(Boolean));
  });

  return {card, failures, end: ask.end, draw() {
    const events = live.catalog?.waiting_deliveries ?? null;
    set_text(waiting, events === null ? "Not known yet" : events === 0 ? "All told" : `${events} to tell`);
    set_text(waiting_more, events ? "Events that a webhook has not taken yet; they are tried again for a day."
                                  : "No event waits to be delivered.");
    card.classList.toggle("warning", Boolean(events));
    if (events || !failures.hidden) ask();
  }};
}
