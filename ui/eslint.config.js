import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const tauriOnlyInHost = {
  group: ["@tauri-apps/*"],
  message: "Only src/host may know the transport; call `host` instead.",
};

export default ts.config(
  { ignores: ["dist", "src/protocol.ts", "node_modules"] },
  {
    files: ["src/**/*.{ts,tsx}"],
    extends: [ts.configs.recommendedTypeChecked, ts.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "no-restricted-imports": ["error", { patterns: [tauriOnlyInHost] }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "BinaryExpression[operator='==='][left.property.name='key'][right.value='Enter']",
          message: "An Enter that ends an IME composition is not an Enter: go through hooks/useEnterSubmit.",
        },
        { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Model text never becomes markup." },
      ],
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/prefer-nullish-coalescing": "off",
      "@typescript-eslint/consistent-type-definitions": "off",
    },
  },
  {
    files: ["src/host/**"],
    rules: { "no-restricted-imports": "off" },
  },
  {
    files: ["src/hooks/useEnterSubmit.ts"],
    rules: { "no-restricted-syntax": "off" },
  },
);
