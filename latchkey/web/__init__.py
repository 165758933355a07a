"""HTTP layer: base classes of views and pages, strict input, problem documents, headers, and the fast path.

Read `api_view.py` first, then `problems.py`. Of the features only views, pages, fast paths, serializers and
authentication classes may import it. It must not know features or their models; each view carries what is known of its
endpoint.
"""
