/// One file that holds all that it shows: no script, nothing fetched.
struct ReportDocument {
    var title: String
    /// What was run, under the title.
    var subtitle: String
    /// HTML.
    var cards: [String] = []

    /// A card with a heading and a note below it.
    mutating func add(_ heading: String, note: String = "", _ body: String) {
        let line = note.isEmpty ? "" : "<p class=\"note\">\(HTMLText.escaped(note))</p>\n"
        cards.append("<section class=\"card\">\n<h2>\(HTMLText.escaped(heading))</h2>\n\(line)\(body)\n</section>")
    }

    /// A card with one sentence that says it all, and what it rests on.
    mutating func addHeadline(_ sentence: String, note: String) {
        cards.append(
            "<section class=\"card\">\n<p class=\"headline\">\(HTMLText.escaped(sentence))</p>\n"
                + "<p class=\"note\">\(HTMLText.escaped(note))</p>\n</section>")
    }

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width,initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>\(HTMLText.escaped(title))</title>
        <style>
        \(ReportStyle.text)
        </style>
        </head>
        <body>
        <header><h1>\(HTMLText.escaped(title))</h1>
        <p>\(HTMLText.escaped(subtitle))</p></header>
        <main>
        \(cards.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    /// Names with their colours.
    static func legend(_ entries: [(name: String, style: String)], isBlock: Bool = false) -> String {
        let swatch = isBlock ? "swatch block" : "swatch"
        let items = entries.map {
            "<li><span class=\"\(swatch) \($0.style)\"></span>\(HTMLText.escaped($0.name))</li>"
        }
        return "<ul class=\"legend\">\(items.joined())</ul>"
    }

    /// The first column names its row. It is moved sideways where it is too wide for the screen.
    static func table(_ name: String, head: [String], rows: [[String]]) -> String {
        let titles = head.map { "<th scope=\"col\">\(HTMLText.escaped($0))</th>" }.joined()
        let lines = rows.map { row in
            let cells = row.enumerated().map { index, cell in
                let text = HTMLText.escaped(cell)
                return index == 0 ? "<th scope=\"row\">\(text)</th>" : "<td>\(text)</td>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        return """
            <div class="scroll" tabindex="0" role="region" aria-label="\(HTMLText.escaped(name))"><table>
            <thead><tr>\(titles)</tr></thead>
            <tbody>
            \(lines.joined(separator: "\n"))
            </tbody></table></div>
            """
    }
}
