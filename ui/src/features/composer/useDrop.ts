// Files held over the window and dropped. The window tells, because only it knows their paths.
import { useEffect, useState } from "react";

import { host } from "../../host";

/** Whether files are held over the window. */
export function useDrop(onPaths: (paths: string[]) => Promise<void>): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => host.onHostEvent((event) => {
    switch (event.type) {
      case "dragOver":
        setOver(true);
        break;
      case "dragLeave":
        setOver(false);
        break;
      case "drop":
        setOver(false);
        void onPaths(event.paths);
        break;
      case "openFolder":
      case "openThread":
        break;
    }
  }), [onPaths]);
  return over;
}
