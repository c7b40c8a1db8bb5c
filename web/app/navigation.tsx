import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Icon, type IconName } from '../components/icon.tsx';
import classes from './shell.module.css';

const groups = [
  {
    title: 'Backup',
    links: [
      { to: '/backups', text: 'All Backups', icon: 'backups' },
      { to: '/restores', text: 'Restores', icon: 'restore' },
      { to: '/drills', text: 'Drills', icon: 'drill' },
    ],
  },
  {
    title: 'Inventory',
    links: [
      { to: '/services', text: 'Services', icon: 'service' },
      { to: '/locations', text: 'Storage Locations', icon: 'location' },
      { to: '/agents', text: 'Agents', icon: 'agent' },
    ],
  },
] as const satisfies readonly { title: string; links: readonly { to: string; text: string; icon: IconName }[] }[];

export function Navigation(): ReactNode {
  return groups.map(({ title, links }) => (
    <div key={title}>
      <h2 className={classes['group']} id={`navigation-${title}`}>
        {title}
      </h2>
      <ul className={classes['list']} aria-labelledby={`navigation-${title}`}>
        {links.map(({ to, text, icon }) => (
          <li key={to}>
            <Link to={to} className={classes['link']}>
              <Icon name={icon} />
              {text}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  ));
}
