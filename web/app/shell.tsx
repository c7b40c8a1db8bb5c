import { AppShell, Burger, Group, ScrollArea, VisuallyHidden } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { LiveEvents } from '../lib/events.ts';
import { AccountMenu } from './account-menu.tsx';
import { Brand } from './brand.tsx';
import { NotLive } from './not-live.tsx';
import { Navigation } from './navigation.tsx';
import { PasswordHint } from './password-hint.tsx';
import classes from './shell.module.css';

/** The frame of every page: brand, navigation, account; it keeps the connection over which changes come. */
export function Shell() {
  const queries = useQueryClient();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const { pathname } = useLocation();
  useEffect(() => {
    const events = new LiveEvents(queries);
    return () => events[Symbol.dispose]();
  }, [queries]);
  useEffect(() => close(), [pathname, close]);
  useFocusOnNewPage(pathname);
  return (
    <AppShell
      header={{ height: 48 }}
      navbar={{ width: 196, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'md' }}
    >
      <a className={classes['skip']} href="#content">
        Skip to the page
      </a>
      <AppShell.Header className={classes['header']}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={isOpen} onClick={toggle} hiddenFrom="sm" size="sm" aria-expanded={isOpen}>
              <VisuallyHidden>Navigation</VisuallyHidden>
            </Burger>
            <Link to="/backups" className={classes['brand']}>
              <Brand />
            </Link>
          </Group>
          <Group gap="sm" wrap="nowrap">
            <NotLive />
            <AccountMenu />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className={classes['navbar']} aria-label="Navigation">
        <AppShell.Section grow component={ScrollArea} p="xs">
          <Navigation />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes['main']}>
        <PasswordHint />
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}

/** Who goes by keys or by ear goes on where the new page begins, not at the top of the frame. */
function useFocusOnNewPage(pathname: string): void {
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    document.querySelector<HTMLElement>('#content')?.focus({ preventScroll: true });
  }, [pathname]);
}
