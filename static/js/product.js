// Small conveniences. Every page works without this file.
"use strict";

document.documentElement.classList.add("js");

// --- The error summary takes the focus, on a new page and after an exchange by htmx.

function focusErrors(root) {
  const summary = root.querySelector("[data-error-summary]");
  if (summary) summary.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-error-summary] a");
  if (!link) return;
  const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!field) return;
  event.preventDefault();
  field.focus({ preventScroll: true });
  (field.closest(".form-field") || field).scrollIntoView({ block: "center" });
});

// --- Menus close on Escape and on a click elsewhere.

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest && event.target.closest("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// --- Autosave says in words, seen and spoken, whether what was typed is kept.

function autosaveSays(form, key, time) {
  const announcer = document.getElementById("announcer");
  const words = announcer.dataset[key] + (time ? " " + time : "");
  const status = form.querySelector("[data-autosave-status]");
  if (status) status.textContent = words;
  if (key !== "saving") announcer.textContent = words;
}

function autosaveForm(event) {
  const source = event.detail.elt;
  return source && source.closest ? source.closest("[data-autosave]") : null;
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const form = autosaveForm(event);
  if (form) autosaveSays(form, "saving");
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = autosaveForm(event);
  if (!form) return;
  const now = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
  const { xhr, pathInfo, successful } = event.detail;
  // Whose session has ended is sent to the sign-in page, which answers well but has kept nothing.
  const asked = new URL(pathInfo.finalRequestPath, document.baseURI).pathname;
  const elsewhere = xhr.responseURL !== "" && new URL(xhr.responseURL).pathname !== asked;
  if (successful && !elsewhere) autosaveSays(form, "saved", now);
  else autosaveSays(form, successful ? "signedOut" : "failed");
});

document.addEventListener("htmx:beforeSwap", (event) => {
  // A form with mistakes comes back as 422 and is shown like any other answer.
  if (event.detail.xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

document.addEventListener("htmx:afterSwap", (event) => focusErrors(event.target));

// --- Choosing rows: all at once, and how many.

function countChosen(list) {
  const boxes = [...list.querySelectorAll("[data-select]")];
  const chosen = boxes.filter((box) => box.checked).length;
  for (const counter of document.querySelectorAll("[data-select-count]")) counter.textContent = String(chosen);
  const all = document.querySelector("[data-select-all]");
  if (all) {
    all.checked = boxes.length > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  }
}

document.addEventListener("change", (event) => {
  const list = document.querySelector("[data-inbox]");
  if (!list) return;
  if (event.target.matches("[data-select-all]")) {
    for (const box of list.querySelectorAll("[data-select]")) box.checked = event.target.checked;
  }
  if (event.target.matches("[data-select-all], [data-select]")) countChosen(list);
});

// --- Keys of the inbox: j k x Enter ?, switchable off and remembered.

const KEYS_OFF = "keyboard-shortcuts-off";

function remembered() {
  try {
    return localStorage.getItem(KEYS_OFF) === "1";
  } catch {
    return false; // storage is forbidden: the keys are on and cannot be switched off for good
  }
}

let keysOff = remembered();

function setKeysOff(off) {
  keysOff = off;
  try {
    if (off) localStorage.setItem(KEYS_OFF, "1");
    else localStorage.removeItem(KEYS_OFF);
  } catch {
    // holds for this page only
  }
}

function currentRow(rows) {
  return rows.findIndex((row) => row.classList.contains("row-current"));
}

function goTo(rows, place) {
  const row = rows[Math.max(0, Math.min(rows.length - 1, place))];
  if (!row) return;
  for (const other of rows) other.classList.remove("row-current");
  row.classList.add("row-current");
  const link = row.querySelector("[data-open]");
  if (link) link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function showKeys() {
  const dialog = document.getElementById("key-hints");
  if (dialog && !dialog.open) dialog.showModal();
}

function typing(target) {
  return target.isContentEditable || target.matches("input:not([type=checkbox]), select, textarea");
}

document.addEventListener("keydown", (event) => {
  if (keysOff || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    event.preventDefault();
    showKeys();
    return;
  }
  const list = document.querySelector("[data-inbox]");
  if (!list) return;
  const rows = [...list.querySelectorAll("[data-row]")];
  const place = currentRow(rows);
  if (event.key === "j") goTo(rows, place + 1);
  else if (event.key === "k") goTo(rows, Math.max(0, place - 1));
  else if (event.key === "x" && place >= 0) {
    const box = rows[place].querySelector("[data-select]");
    if (box) box.click();
  } else if (event.key === "Enter" && place >= 0 && !event.target.closest("a, button, input, summary")) {
    const link = rows[place].querySelector("[data-open]");
    if (link) link.click();
  } else return;
  event.preventDefault();
});

document.addEventListener("focusin", (event) => {
  const row = event.target.closest("[data-inbox] [data-row]");
  if (!row || row.classList.contains("row-current")) return;
  for (const other of document.querySelectorAll("[data-inbox] [data-row]")) other.classList.toggle("row-current", other === row);
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-key-hints]")) showKeys();
});

document.addEventListener("DOMContentLoaded", () => {
  focusErrors(document);
  const box = document.getElementById("keys-on");
  if (box) {
    box.checked = !keysOff;
    box.addEventListener("change", () => setKeysOff(!box.checked));
  }
});
