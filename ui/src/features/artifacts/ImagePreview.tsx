// A picture: as large as fits, as large as it is, or anything between.
import { Maximize2, ZoomIn, ZoomOut } from "lucide-react";
import { useState } from "react";

import { Button, IconButton } from "../../components/Button";
import { useTongue, useWords } from "../../i18n";
import css from "./Preview.module.css";
import { strings } from "./strings";

const LEAST = 0.05;
const MOST = 16;
const STEP = 1.25;

export function ImagePreview({ url, name, onBroken }: { url: string; name: string; onBroken: () => void }) {
  const t = useWords(strings);
  const tongue = useTongue();
  /** Of the picture's own size; as large as fits when absent. */
  const [zoom, setZoom] = useState<number>();
  const [own, setOwn] = useState<{ width: number; height: number }>();
  const [fitted, setFitted] = useState(1);
  const by = (factor: number) => setZoom((it) => Math.min(MOST, Math.max(LEAST, (it ?? fitted) * factor)));
  return (
    <>
      <div className={css.stage} tabIndex={0} role="group" aria-label={name}>
        <img
          src={url}
          alt={name}
          data-testid="preview-image"
          className={zoom === undefined ? css.fit : css.zoomed}
          style={zoom !== undefined && own !== undefined ? { width: own.width * zoom } : undefined}
          onError={onBroken}
          onLoad={(event) => {
            const { naturalWidth, naturalHeight, clientWidth } = event.currentTarget;
            // A vector picture may have no size of its own.
            setOwn({ width: naturalWidth || clientWidth, height: naturalHeight });
            setFitted(clientWidth / (naturalWidth || clientWidth || 1));
          }}
        />
      </div>
      <div className={css.tools}>
        <IconButton small label={t("zoomOut")} icon={<ZoomOut />} onClick={() => by(1 / STEP)} />
        <Button small tone="quiet" aria-label={t("actualSize")} onClick={() => setZoom(1)}>
          {new Intl.NumberFormat(tongue, { style: "percent" }).format(zoom ?? fitted)}
        </Button>
        <IconButton small label={t("zoomIn")} icon={<ZoomIn />} onClick={() => by(STEP)} />
        <IconButton small label={t("zoomFit")} icon={<Maximize2 />} aria-pressed={zoom === undefined} onClick={() => setZoom(undefined)} />
        {own !== undefined && own.height > 0 && <span className={css.fact}>{own.width} × {own.height}</span>}
      </div>
    </>
  );
}
