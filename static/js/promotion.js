/* The form of a promotion: its summary follows what is typed, and "Try it" answers in the page.
   Without this script the same buttons lead to pages. */
document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("promotion_form");
  const summary = document.getElementById("rule-summary");
  if (!form) return;

  const sent = (submitter) => {
    const data = new FormData(form);
    for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
    if (submitter) data.append(submitter.name, submitter.value);
    return data;
  };

  const fetched = async (url, data, signal) => {
    const answer = await fetch(url, {
      method: "POST", body: data, signal, headers: { "X-Fragment": "1" }, credentials: "same-origin",
    });
    if (!answer.ok) throw new Error(answer.status);
    return answer.text();
  };

  let timer, running;
  const refresh = async () => {
    running?.abort();
    running = new AbortController();
    try {
      summary.innerHTML = await fetched(summary.dataset.url, sent(), running.signal);
    } catch (error) {
      if (error.name !== "AbortError") summary.dataset.stale = "true";
    }
  };
  if (summary) {
    const soon = (event) => {
      if (event.target.name?.startsWith("try-")) return;
      clearTimeout(timer);
      timer = setTimeout(refresh, 350);
    };
    form.addEventListener("input", soon);
    form.addEventListener("change", soon);
  }

  form.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-try]");
    if (!button) return;
    event.preventDefault();
    const section = document.getElementById("try-result");
    button.setAttribute("aria-busy", "true");
    try {
      section.innerHTML = await fetched(button.formAction, sent(button));
      section.querySelector(".trial, .receipts button, .wrong")?.focus?.();
    } catch {
      button.removeAttribute("aria-busy");
    }
  });
});
