print("FOUND: sitecustomize was run")
