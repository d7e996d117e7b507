// Niceties of the member's pages; without scripts the same links and forms load whole pages.

// Whoever pressed a button that is gone now goes on reading at what it brought.
document.addEventListener("htmx:afterSettle", () => {
  if (document.activeElement === document.body) {
    document.getElementById("found")?.focus({ preventScroll: true });
  }
});

// What cannot be put into the page is a page of its own: a slip in a form, a failure, no network.
for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(failure, (event) => {
    const { finalRequestPath, requestPath } = event.detail.pathInfo;
    window.location.assign(finalRequestPath || requestPath);
  });
}
