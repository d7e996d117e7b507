// Criteria are edited without leaving the page, and counted while they are typed. Without this file the same
// buttons post the form. The server draws everything: what comes back is put in the place of what was there.
"use strict";

const WAIT = 500; // milliseconds after the last key
const POLL = 3000;

const replace = (page, id) => {
  const [now, next] = [document.getElementById(id), page.getElementById(id)];
  if (now && next) now.replaceWith(next);
};

const ask = async (url, options, ids) => {
  const answer = await fetch(url, { credentials: "same-origin", ...options });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  ids.forEach((id) => replace(page, id));
};

const live = (form) => {
  let timer = 0;
  let running = null;

  const send = async (action, ids) => {
    clearTimeout(timer);
    running?.abort();
    running = new AbortController();
    const body = new FormData(form);
    body.set("do", action);
    try {
      await ask(location.href, { method: "POST", body, signal: running.signal }, ids);
      return true;
    } catch (error) {
      if (error.name !== "AbortError") {
        document.getElementById("count").textContent = "Counting failed. Try again in a moment.";
      }
      return false;
    }
  };

  const redraw = async (action) => {
    const held = document.activeElement?.id;
    if (!(await send(action, ["builder", "count", "json"]))) return;
    const focus = document.getElementById("builder").dataset.focus;
    const next = action === "update" ? held : `${focus}-field`;
    const fallback = document.getElementById(`${focus}-join`);
    (document.getElementById(next) ?? fallback)?.focus();
  };

  form.addEventListener("input", (event) => {
    if (event.target.matches("[data-changes]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => send("count", ["count", "json"]), WAIT);
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-changes]")) redraw("update");
  });
  form.addEventListener("submit", (event) => {
    const action = event.submitter?.value ?? "count";
    if (action === "review") return;
    event.preventDefault();
    if (action === "count") send("count", ["builder", "count", "json"]);
    else redraw(action);
  });
};

const follow = () => {
  if (!document.querySelector("#live[data-pending]")) return;
  setTimeout(async () => {
    try {
      await ask(location.href, {}, ["live"]);
      if (!document.querySelector("#live[data-pending]")) location.reload();
    } catch { /* the next turn asks again */ }
    follow();
  }, POLL);
};

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("form[data-live]").forEach(live);
  follow();
});
