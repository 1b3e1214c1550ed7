window.progressSeen = false;
new MutationObserver(() => {
  window.progressSeen ||= !!document.querySelector('[data-testid=stProgress]');
}).observe(document, { subtree: true, childList: true });
