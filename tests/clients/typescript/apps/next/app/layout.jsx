import { Auth } from "./auth.jsx";

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>
        <Auth>{children}</Auth>
      </body>
    </html>
  );
}
