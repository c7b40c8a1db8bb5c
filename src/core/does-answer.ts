import { Failure } from '../lib/failure.ts';
import type { SqlConnection } from './scratch-server.ts';

/** Restored accounts may refuse this user: a server that says so is up. */
export async function doesAnswer(connect: () => Promise<SqlConnection>): Promise<boolean> {
  try {
    await using connection = await connect();
    await connection.query('SELECT 1');
    return true;
  } catch (error) {
    return error instanceof Failure && ['database-access-denied', 'database-login-method'].includes(error.code);
  }
}
