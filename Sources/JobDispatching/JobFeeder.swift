// JobDispatching
