"""SQL: what must outlive the operator and is not in any API server. No decisions here, and no objects of Kubernetes."""
