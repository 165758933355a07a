/* unfold's pages under a policy that evaluates no text: Alpine's build for it (docs/decisions/0014) reads expressions
   itself, knows no globals, and takes one expression where unfold writes two or three statements. */

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
