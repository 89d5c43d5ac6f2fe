"""Where facts come from: each source turns HTTP into records, and knows nothing of the index.

`http` sends every request, `auth` signs requests; `hub` and `registry` are the sources.
"""
