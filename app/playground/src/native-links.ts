// Swagger UI's scrolling library takes over every link within a page and leaves the focus where it was, so that "Skip to
// the content" would not skip. This name, set before it is loaded, tells it to leave links alone.
Object.assign(globalThis, { noZensmooth: true });
