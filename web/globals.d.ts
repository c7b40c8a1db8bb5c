/** Put in when the pages are built, from the route table itself. */
declare const __MANAGER_ROUTES__: Readonly<
  Record<
    import('../src/api/manager.ts').ManagerRouteName,
    { readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'; readonly path: string }
  >
>;
