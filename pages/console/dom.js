// Makes elements. Text only ever becomes text nodes: names come from encoders.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (typeof value !== "string" && name in node) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(2).filter(child => child !== null && child !== undefined && child !== false));
  return node;
}

// A name of an encoder's: its direction of writing is its own.
export const named = text => el("bdi", {}, text);

export function set_text(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Tells what happened, for people who see and those who hear.
export function note(text, kind = "error") {
  const place = document.querySelector("#notes");
  const close = () => shown.remove();
  const shown = el("p", {class: `note ${kind}`}, text,
    el("button", {type: "button", class: "plain", "aria-label": "Close this message", onclick: close}, "✕"));
  place.replaceChildren(shown);
  if (kind !== "error") setTimeout(close, 6000);
}

// Does what may fail, and says why it did.
export async function attempt(work) {
  try {
    return await work();
  } catch (error) {
    note(error.message);
    return null;
  }
}

async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    field.select();  // without https there is no clipboard but this
    if (!document.execCommand("copy")) return false;
  }
  return true;
}

// A text to copy: [label][text][button].
export function copy_field(label, text, extra = null) {
  const field = el("input", {type: "text", readOnly: true, value: text, "aria-label": label,
                             onfocus: event => event.target.select()});
  const button = el("button", {type: "button", "aria-label": `Copy: ${label}`, onclick: async () => {
    set_text(button, await copy(field) ? "Copied" : "Press Ctrl+C");
    setTimeout(() => set_text(button, "Copy"), 2000);
  }}, "Copy");
  return el("div", {class: "copy"}, el("span", {class: "label"}, label), field, button, extra);
}

function open_dialog(title, ...content) {
  const before = document.activeElement;
  const heading = el("h2", {id: "dialog-title"}, title);
  const dialog = el("dialog", {"aria-labelledby": "dialog-title"}, heading, ...content);
  dialog.addEventListener("close", () => {
    dialog.remove();
    before?.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// Resolves to true when it was confirmed.
export function confirm_with(title, text, verb) {
  return new Promise(done => {
    const dialog = open_dialog(title, el("p", {}, text), el("div", {class: "row end"},
      el("button", {type: "button", autofocus: true, onclick: () => dialog.close()}, "Cancel"),
      el("button", {type: "button", class: "danger", onclick: () => dialog.close("yes")}, verb)));
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"));
  });
}

export {open_dialog};
