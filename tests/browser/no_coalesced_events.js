// As Safari before 18.2, and Firefox where a page came without encryption.
delete PointerEvent.prototype.getCoalescedEvents;
