"""What a person does, done in a browser: the system's Chromium, driven by Playwright."""
