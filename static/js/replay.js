// The page of a replay: draws its charts from the figures beside them, and follows it while it runs.
"use strict";

const POLL_MS = 1500;

function colours() {
  const dark = document.documentElement.classList.contains("dark");
  return {
    strong: dark ? "#c084fc" : "#7e22ce",
    faint: dark ? "#94a3b8" : "#64748b",
    limit: dark ? "#f87171" : "#b91c1c",
    text: dark ? "#cbd5e1" : "#475569",
    grid: dark ? "#334155" : "#e2e8f0",
  };
}

function line(label, data, colour, more) {
  return { label, data, borderColor: colour, backgroundColor: colour, borderWidth: 2, pointRadius: 0, tension: 0, ...more };
}

const SERIES = {
  days: (data, c) => ({
    type: "line",
    x: "Day",
    y: "Points",
    datasets: [line("Without", data.without, c.faint, { borderDash: [5, 4] }), line("With", data.points, c.strong)],
  }),
  budget: (data, c) => ({
    type: "line",
    x: "Day",
    y: "Points",
    datasets: [
      line("Used", data.used, c.strong, { fill: "origin", backgroundColor: `${c.strong}33` }),
      line("Budget", data.labels.map(() => data.limit), c.limit, { borderDash: [5, 4] }),
    ],
  }),
  gains: (data, c) => ({
    type: "bar",
    x: "Points gained",
    y: "Members",
    datasets: [{ label: "Members", data: data.members, backgroundColor: c.strong, maxBarThickness: 64 }],
  }),
};

function axis(title, c, more) {
  return {
    title: { display: true, text: title, color: c.text },
    ticks: { color: c.text, maxRotation: 0, autoSkipPadding: 16, ...more },
    grid: { color: c.grid },
    beginAtZero: true,
  };
}

function draw(canvas, data) {
  const c = colours();
  const { type, x, y, datasets } = SERIES[canvas.dataset.chart](data, c);
  return new Chart(canvas, {
    type,
    data: { labels: data.labels, datasets },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: { x: axis(x, c), y: axis(y, c, { precision: 0 }) },
      plugins: { legend: { display: datasets.length > 1, labels: { color: c.text, usePointStyle: true, pointStyle: "line" } } },
    },
  });
}

function drawAll() {
  const figures = document.getElementById("replay-charts");
  if (!figures || typeof Chart === "undefined") return;
  const data = JSON.parse(figures.textContent);
  let charts = [];
  const redraw = () => {
    charts.forEach((chart) => chart.destroy());
    charts = [...document.querySelectorAll("canvas[data-chart]")].map((x) => draw(x, data[x.dataset.chart]));
  };
  redraw();
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
}

async function follow() {
  const shown = document.querySelector("[data-progress]");
  if (!shown) return;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-progress]");
    if (answer.ok && !now) return location.reload();
    if (now) shown.replaceChildren(...now.childNodes);
  } catch {
    // The next turn asks again.
  }
  setTimeout(follow, POLL_MS);
}

drawAll();
setTimeout(follow, POLL_MS);
