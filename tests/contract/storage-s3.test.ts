import { S3Storage } from '../../src/storage/s3.ts';
import { startVersitygw } from '../support/servers.ts';
import { describeStorage } from './storage.ts';

describeStorage('S3Storage', async () => {
  const server = await startVersitygw();
  await server.createBucket('contract');
  const { endpoint, region, accessKey: accessKeyId, secretKey: secretAccessKey } = server;
  const storage = new S3Storage({
    bucket: 'contract',
    prefix: 'some/folder',
    endpoint,
    region,
    accessKeyId,
    secretAccessKey,
  });
  return {
    storage,
    [Symbol.asyncDispose]: async () => {
      await storage[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
});
