// Sets the chosen theme before anything is painted. A plain script: a module would come too late.
(() => {
  try {
    const theme = localStorage.getItem("groundcontrol.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Without storage the system's theme is in force.
  }
})();
