/* Lets unfold's pages work under a Content-Security-Policy without 'unsafe-eval'. Alpine's CSP build
   (docs/decisions/0014) parses expressions itself, cannot reach globals, and takes one expression where unfold has two
   or three statements. */

document.addEventListener("alpine:init", () => {
  const { pathname, search } = location;

  Alpine.data("theme", (chosen) => ({ ...theme(chosen), window: { location: { pathname, search } } }));
  Alpine.data("searchForm", searchForm);
  Alpine.data("page", () => ({
    activeTab: getCurrentTab() || "general",
    sidebarMobileOpen: false,
    sidebarDesktopOpen: sessionStorage.getItem("menu") !== "closed",
    toggleMenu() {
      this.sidebarDesktopOpen = !this.sidebarDesktopOpen;
      sessionStorage.setItem("menu", this.sidebarDesktopOpen ? "open" : "closed");
    },
  }));

  document.body.setAttribute("x-data", "page");
  document.body.removeAttribute("x-init");
  document.querySelector("[x-on\\:click^=sidebarDesktopOpen]")?.setAttribute("x-on:click", "toggleMenu()");
});
