import Crypto

/// The page as it is sent: one document with its style and script inside, and the policy that allows only these two.
struct PageDocument: Sendable {
    let html: String
    /// `Content-Security-Policy`: nothing but this style, this script, and calls to this origin.
    let policy: String

    init() {
        let style = "\n" + PageStyle.text + "\n"
        let script = "\n" + PageScript.text + "\n"
        html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width,initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>Neap</title>
            <link rel="icon" href="\(PageDocument.icon)">
            <style>\(style)</style>
            </head>
            <body class="loading">
            \(PageMarkup.text)
            <script>\(script)</script>
            </body>
            </html>

            """
        policy = [
            "default-src 'none'", "script-src \(PageDocument.source(script))",
            "style-src \(PageDocument.source(style))",
            "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
        ].joined(separator: "; ")
    }

    private static let icon =
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath fill='%232ea58a' d='M2 22c5 0 5-4 10-4s5 4 10 4 5-4 8-4v10H2z'/%3E%3Cpath fill='%231c6fb8' d='M2 15c5 0 5-5 10-5s5 5 10 5 5-5 8-5v8c-3 0-3 4-8 4s-5-4-10-4-5 4-10 4z'/%3E%3C/svg%3E"

    /// A hash source (CSP level 3 §8.4) of inline text.
    private static func source(_ text: String) -> String {
        "'sha256-\(base64(Array(SHA256.hash(data: Array(text.utf8)))))'"
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for place in 0..<4 {
                out.append(place <= group.count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
