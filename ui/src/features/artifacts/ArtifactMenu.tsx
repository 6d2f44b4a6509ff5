// The further actions of an artifact.
import { Copy, Ellipsis, ExternalLink, FileInput, FolderOpen, Save } from "lucide-react";

import { IconButton } from "../../components/Button";
import { Menu, MenuItem } from "../../components/Menu";
import { useWords } from "../../i18n";
import type { Artifact, ArtifactRef } from "../../protocol";
import { copy, copyContent, openWithProgram, reveal, saveAs } from "./actions";
import { previewKind } from "./kind";
import { strings } from "./strings";

export function ArtifactMenu({ artifact, reference, small = false }: { artifact: Artifact; reference: ArtifactRef; small?: boolean }) {
  const t = useWords(strings);
  const kind = previewKind(artifact.name, artifact.mediaType);
  const isText = kind === "text" || kind === "markdown" || kind === "csv" || kind === "html";
  return (
    <Menu align="end" label={t("more", { name: artifact.name })} trigger={<IconButton label={t("more", { name: artifact.name })} icon={<Ellipsis />} small={small} />}>
      <MenuItem icon={<ExternalLink />} onClick={() => openWithProgram(reference)}>{t("openWith")}</MenuItem>
      <MenuItem icon={<FolderOpen />} onClick={() => reveal(reference)}>{t("reveal")}</MenuItem>
      <MenuItem icon={<Save />} onClick={() => void saveAs(reference, artifact.name)}>{t("saveAs")}</MenuItem>
      <MenuItem icon={<Copy />} onClick={() => void copy(artifact.path)}>{t("copyPath")}</MenuItem>
      {isText && <MenuItem icon={<FileInput />} onClick={() => void copyContent(reference)}>{t("copyText")}</MenuItem>}
    </Menu>
  );
}
