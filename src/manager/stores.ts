import type { Stores } from '../control/places.ts';
import { textOfPlace } from '../control/location-text.ts';
import { openFolder } from '../storage/open-folder.ts';
import { probeStorage } from '../storage/probe.ts';

/** The stores as they are: a part of the composition root. */
export const systemStores: Stores = {
  open: async ({ spec, secrets, folder }, { mayCreate }) => {
    const { accessKeyId, secretAccessKey, sessionToken } = secrets;
    return openFolder(textOfPlace(spec.place), {
      folder,
      credentials: { accessKeyId, secretAccessKey, sessionToken },
      mayCreate,
    });
  },
  probe: async (storage, options) => probeStorage(storage, options),
};
