/// `Content-Disposition` for a download (RFC 6266).
enum ContentDisposition {
    /// Names outside ASCII come a second time in RFC 8187 form, which clients prefer.
    static func attachment(_ filename: String) -> String {
        let plain = String(
            filename.unicodeScalars.map { scalar -> Character in
                let isSafe =
                    scalar.isASCII && scalar.value >= 0x20 && scalar != "\"" && scalar != "\\" && scalar.value != 0x7f
                return isSafe ? Character(scalar) : "_"
            })
        if plain == filename { return "attachment; filename=\"\(plain)\"" }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(encode(filename))"
    }

    private static func encode(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                out += byte < 16 ? "%0" : "%"
                out += String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
