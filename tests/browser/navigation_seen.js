window.navigationSeen = [];
new MutationObserver(() => {
  for (const { textContent } of document.querySelectorAll('[data-testid=stSidebarNavLink]')) {
    if (!window.navigationSeen.includes(textContent)) window.navigationSeen.push(textContent);
  }
}).observe(document, { subtree: true, childList: true, characterData: true });
