import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.File;
import java.nio.charset.StandardCharsets;

/** One POST by netty over the TLS library that netty-tcnative carries; PORT, PATH_AND_QUERY, BODY and CA are given. */
public class NettyClient {
    public static void main(String[] arguments) throws Exception {
        SslContextBuilder building = SslContextBuilder.forClient().sslProvider(SslProvider.OPENSSL);
        // What it is told to trust by JAVA_TOOL_OPTIONS, it does already.
        if (System.getProperty("javax.net.ssl.trustStore") == null) {
            building.trustManager(new File(System.getenv("CA")));
        }
        SslContext context = building.build();
        int port = Integer.parseInt(System.getenv("PORT"));
        byte[] body = System.getenv("BODY").getBytes(StandardCharsets.UTF_8);
        DefaultFullHttpRequest request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST,
            System.getenv("PATH_AND_QUERY"), Unpooled.wrappedBuffer(body));
        request.headers().set(HttpHeaderNames.HOST, "localhost").set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        NioEventLoopGroup group = new NioEventLoopGroup(1);
        new Bootstrap().group(group).channel(NioSocketChannel.class).handler(new ChannelInitializer<SocketChannel>() {
            @Override
            protected void initChannel(SocketChannel channel) {
                channel.pipeline().addLast(context.newHandler(channel.alloc(), "localhost", port),
                    new HttpClientCodec(), new HttpObjectAggregator(1 << 20),
                    new SimpleChannelInboundHandler<FullHttpResponse>() {
                        @Override
                        protected void channelRead0(ChannelHandlerContext handler, FullHttpResponse response) {
                            handler.close();
                        }
                    });
            }
        }).connect("localhost", port).sync().channel().writeAndFlush(request).channel().closeFuture().sync();
        group.shutdownGracefully();
    }
}
