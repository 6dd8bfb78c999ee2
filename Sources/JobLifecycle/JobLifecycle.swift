// JobLifecycle
