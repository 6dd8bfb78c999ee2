/// The page's script: reads `/admin/live` and shows it. Text from outside is only ever set as `textContent`.
enum PageScript {
    static let text = PageScriptView.text + PageScriptChart.text + PageScriptStream.text
}
