print("neap")
