// Pages on which somebody writes. Nothing typed is lost: what is not saved yet waits in this tab. Works without this file.
"use strict";

// --- A copy of what was typed since the last save, until it is saved; put back when the page is opened again.

const form = document.querySelector("form[data-keep]");
const place = form && "typed:" + location.pathname;

function store(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null; // storage is forbidden or full: the server has what was saved
  }
}

function fieldsOf(kept) {
  return [...kept.elements].filter((field) => field.name && field.name !== "csrfmiddlewaretoken" && field.type !== "submit");
}

function typedIn(kept) {
  return fieldsOf(kept).map((field) => [field.name, field.type, field.value, Boolean(field.checked)]);
}

function putBack(kept, typed) {
  let changed = false;
  for (const field of fieldsOf(kept)) {
    const choice = field.type === "checkbox" || field.type === "radio";
    const was = typed.find(([name, type, value]) => name === field.name && type === field.type && (!choice || value === field.value));
    if (!was || field.type === "hidden") continue;
    if (choice ? field.checked === was[3] : field.value === was[2]) continue;
    if (choice) field.checked = was[3];
    else field.value = was[2];
    changed = true;
  }
  return changed;
}

if (form) {
  let number = 0;
  let sent = 0;

  form.addEventListener("input", () => {
    number += 1;
    store((tab) => tab.setItem(place, JSON.stringify(typedIn(form))));
  });

  // What was pressed to leave the page. A save that is on its way arrives first: the server might answer the two in the
  // other order, and the older would win.
  let leaving = null;
  let flying = false;

  form.addEventListener("submit", (event) => {
    // With a session that has ended this leads to the sign-in page and back here.
    store((tab) => tab.setItem(place + ":sent", "1"));
    leaving = event.submitter || form.querySelector("[type=submit]");
    if (flying) event.preventDefault();
  });

  window.addEventListener("pageshow", () => { leaving = null; });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt !== form) return;
    if (leaving) {
      event.preventDefault();
      return;
    }
    flying = true;
    sent = number;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form) return;
    flying = false;
    if (leaving) {
      form.requestSubmit(leaving);
      return;
    }
    const status = event.detail.xhr.status;
    // What was typed while this was on its way is not saved yet.
    if (event.detail.successful && sent === number) store((tab) => tab.removeItem(place));
    const notice = document.querySelector("[data-session-ended]");
    if (notice) notice.hidden = status !== 401;
    if (status === 409) location.reload();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const kept = store((tab) => tab.getItem(place));
    const wasSent = store((tab) => tab.getItem(place + ":sent"));
    store((tab) => { tab.removeItem(place); tab.removeItem(place + ":sent"); });
    if (!kept || wasSent) return; // the server has it and shows it
    if (!putBack(form, JSON.parse(kept))) return;
    const notice = document.querySelector("[data-restored]");
    if (notice) notice.hidden = false;
    form.dispatchEvent(new Event("change"));
  });
}

// --- A long list of choices is narrowed by typing a part of a name. What is chosen stays in sight.

const words = document.querySelector("[data-narrow-words]");

if (words) {
  const list = document.getElementById(words.closest("[data-narrow]").dataset.narrow);
  const count = document.querySelector("[data-narrow-count]");
  const folds = [...list.querySelectorAll("details")];
  const wasOpen = new Map(folds.map((fold) => [fold, fold.open]));

  // What a choice stands under stays in sight with it, and so does everything below one that was found.
  const fits = (option, wanted) => option.textContent.toLocaleLowerCase().includes(wanted);
  const isBelowFound = (element, wanted) => {
    for (let fold = element.parentElement.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      if (fits(fold.previousElementSibling, wanted)) return true;
    }
    return false;
  };
  const narrowed = (wanted) => {
    for (const option of list.querySelectorAll(".form-check")) {
      option.hidden = !fits(option, wanted) && !option.querySelector("input").checked && !isBelowFound(option, wanted);
    }
    // From the innermost fold outwards: those that hold something found open.
    for (const fold of [...folds].reverse()) {
      const above = fold.previousElementSibling;
      const found = [...fold.querySelectorAll(".form-check")].some((option) => fits(option, wanted));
      fold.hidden = fold.querySelector(".form-check:not([hidden])") === null;
      const chosen = fold.querySelector("input:checked") !== null;
      fold.open = chosen || (wanted === "" ? wasOpen.get(fold) : found);
      if (!fold.hidden) above.hidden = false;
    }
    return list.querySelectorAll(".form-check:not([hidden])").length;
  };

  words.addEventListener("input", (event) => {
    event.stopPropagation(); // searching is not writing
    const shown = narrowed(words.value.trim().toLocaleLowerCase());
    count.textContent = count.dataset.words.replace("{count}", String(shown));
  });
  words.addEventListener("change", (event) => event.stopPropagation());
  words.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const search = words.parentElement.querySelector("button");
    if (search && search.offsetParent) search.click();
  });
}

// --- A state or province is asked for only where the country of the same place has some to choose from.

for (const places of document.querySelectorAll("select[data-subdivision]")) {
  const country = places.closest("fieldset, [data-place]").querySelector("select[name$=country]");
  const groups = [...places.querySelectorAll("optgroup")];
  const fit = () => {
    let asked = false;
    for (const group of groups) {
      const fits = group.querySelector("option").value.startsWith(country.value + "-") && country.value !== "";
      group.hidden = group.disabled = !fits;
      asked = asked || fits;
    }
    const chosen = places.selectedOptions[0];
    if (chosen && chosen.parentElement.disabled) places.value = "";
    places.closest(".form-field").hidden = !asked;
  };
  country.addEventListener("change", fit);
  fit();
}
