"""The tests mirror the package; `fakehub` is the stand-in Docker Hub they crawl."""
