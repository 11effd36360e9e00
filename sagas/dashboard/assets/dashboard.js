// What the browser adds to pages that work without it. Everything is found by data attributes; nothing is inline.
"use strict";

// -- copying ------------------------------------------------------------------------------------------------------
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const said = button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Selected: press Ctrl-C";
  }
  setTimeout(() => { button.textContent = said; }, 2000);
});

// -- a form is sent once: a second click says so instead ------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  setTimeout(() => { delete form.dataset.sent; }, 5000);
});

// -- new rows are announced, and taken in on request, or when nobody can be about to touch what would move -----------
const IDLE = 20_000;
let touched = Date.now();
for (const name of ["pointermove", "pointerdown", "keydown", "wheel", "focusin"]) {
  document.addEventListener(name, () => { touched = Date.now(); }, { passive: true });
}
const inHand = () => document.querySelector("main:hover, main :focus, main details[open], main input:checked");
setInterval(() => {
  const news = document.querySelector("[data-news]");
  if (!news || document.hidden || Date.now() - touched < IDLE || scrollY > 0 || inHand()) return;
  location.replace(news.href);
}, 1000);

// -- what is under the pointer stays under it: when something comes in above, the page is scrolled by as much --------
let pointer = null;
let kept = null;
document.addEventListener("pointermove", (event) => { pointer = [event.clientX, event.clientY]; }, { passive: true });
document.documentElement.addEventListener("pointerleave", () => { pointer = null; });
document.addEventListener("htmx:before:swap", () => {
  const focused = document.querySelector("main :focus");
  const under = pointer && document.elementFromPoint(...pointer);
  const what = under && under.closest("main") ? under : focused;
  kept = what && { what, top: what.getBoundingClientRect().top };
});
document.addEventListener("htmx:after:swap", () => {
  if (kept && kept.what.isConnected) scrollBy({ top: kept.what.getBoundingClientRect().top - kept.top, behavior: "instant" });
  kept = null;
});

// -- one box picks all that are shown --------------------------------------------------------------------------------
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-pick-all]")) return;
  for (const box of document.querySelectorAll("main input[name=pick]")) box.checked = event.target.checked;
});

// -- whether this page is live ----------------------------------------------------------------------------------------
const live = () => document.querySelector("[data-live]");
const say = (text) => { const found = live(); if (found) found.textContent = text; };
document.addEventListener("htmx:sse:after:connection", () => say("Live"));
document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) { location.reload(); return; }
  say("Not connected; trying again");
});
document.addEventListener("visibilitychange", () => say(document.hidden ? "Paused" : "Live"));

// -- a slider shows what it was moved to: when it is let go, or has rested for a moment under the keys; it keeps the focus
let rests = 0;
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-submit]")) return;
  clearTimeout(rests);
  const slider = event.target;
  rests = setTimeout(() => {
    if (document.activeElement === slider) sessionStorage.setItem("focus", slider.name);
    slider.form.requestSubmit();
  }, 400);
});
const focused = sessionStorage.getItem("focus");
if (focused) {
  sessionStorage.removeItem("focus");
  document.querySelector(`[data-submit][name="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
