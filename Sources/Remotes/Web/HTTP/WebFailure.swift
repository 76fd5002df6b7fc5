import AsyncHTTPClient
import Diagnostics
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Says in one line what went wrong below HTTP, and whether it is worth another try.
enum WebFailure {
  static func error(_ error: any Error, _ address: String) -> any Error {
    switch error {
    case is CancellationError, is RemoteError: return error
    case let error as HTTPClientError where error == .cancelled: return CancellationError()
    default:
      let (kind, message) = explanation(error)
      return RemoteError(kind, "\(address): \(message)")
    }
  }

  private static func explanation(_ error: any Error) -> (RemoteError.Kind, String) {
    switch error {
    case let error as HTTPClientError: return client(error)
    case let error as NIOConnectionError: return connection(error)
    case let error as IOError:
      let isRefusal = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT].contains(error.errnoCode)
      return (.passing, "\(isRefusal ? "cannot connect" : "the connection broke"): \(String(cString: strerror(error.errnoCode)))")
    case let error as NIOSSLError: return security(error)
    case let error as HTTPParserError:
      if error == .headerOverflow { return (.damaged, "the answer has more headers than make sense") }
      return (.passing, "the answer is broken off or no HTTP")
    case is ChannelError: return (.passing, "the connection broke")
    case is NIOSSLExtraError: return (.lasting, "the server's certificate does not fit: \(shown(error))")
    default: return (.passing, "the connection failed: \(shown(error))")
    }
  }

  private static func client(_ error: HTTPClientError) -> (RemoteError.Kind, String) {
    switch error {
    case .connectTimeout: (.passing, "no connection in time")
    case .readTimeout, .deadlineExceeded: (.passing, "no answer in time")
    case .writeTimeout: (.passing, "the server stopped taking bytes")
    case .remoteConnectionClosed: (.passing, "the server closed the connection")
    case .getConnectionFromPoolTimeout: (.passing, "no connection came free in time")
    case .requestStreamCancelled: (.passing, "the server stopped taking bytes")
    case .invalidProxyResponse: (.lasting, "the proxy does not connect")
    case .proxyAuthenticationRequired: (.lasting, "the proxy asks for a name and a password")
    case .tlsHandshakeTimeout: (.passing, "no secure connection in time")
    case .bodyLengthMismatch: (.passing, "the request was cut short")
    default: (.passing, shown(error))
    }
  }

  private static func connection(_ error: NIOConnectionError) -> (RemoteError.Kind, String) {
    if error.connectionErrors.isEmpty, error.dnsAError != nil || error.dnsAAAAError != nil {
      return (.passing, "no server is known by the name \(VisibleText.line(error.host, on: .terminal))")
    }
    let place = "\(VisibleText.line(error.host, on: .terminal)) port \(error.port)"
    guard let first = error.connectionErrors.first?.error as? IOError else { return (.passing, "cannot connect to \(place)") }
    return (.passing, "cannot connect to \(place): \(String(cString: strerror(first.errnoCode)))")
  }

  private static func security(_ error: NIOSSLError) -> (RemoteError.Kind, String) {
    switch error {
    case .handshakeFailed(let cause):
      let text = shown(cause)
      if text.contains("CERTIFICATE_VERIFY_FAILED") {
        return (.lasting, "the server's certificate is not signed by anyone trusted here (SSL_CERT_FILE names other roots)")
      }
      if text.contains("WRONG_VERSION_NUMBER") {
        return (.lasting, "the server speaks no TLS there (plain-http=1 says that it speaks http)")
      }
      return (.passing, "no secure connection: \(text)")
    case .uncleanShutdown: return (.passing, "the server closed the connection")
    default: return (.passing, "no secure connection: \(shown(error))")
    }
  }

  private static func shown(_ error: any Error) -> String { VisibleText.line("\(error)", most: 160, on: .terminal) }
}
