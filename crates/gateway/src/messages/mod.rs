//! Messages that a company sends: the request, checked and typed, and the message ids of the API.
