"""The classes of the tests of Java functions, by name without package."""

SOURCES = {
    "Handlers": """
        package example;
        import com.amazonaws.services.lambda.runtime.*;
        import java.io.*;
        import java.util.*;

        public class Handlers {
            public static class OfInterface implements RequestHandler<Map<String, Integer>, Integer> {
                public Integer handleRequest(Map<String, Integer> event, Context context) {
                    int sum = 0;
                    for (int value : event.values()) sum += value;
                    return sum;
                }
            }
            static abstract class Generic<A> implements RequestHandler<A, List<A>> {}
            public static class OfGenericParent extends Generic<Order> {
                public List<Order> handleRequest(Order order, Context context) {
                    return List.of(order, order);
                }
            }
            public static class OfStream implements RequestStreamHandler {
                public void handleRequest(InputStream in, OutputStream out, Context context)
                        throws IOException {
                    out.write("{\\"upper\\": ".getBytes());
                    out.write(new String(in.readAllBytes(), "UTF-8").toUpperCase().getBytes("UTF-8"));
                    out.write('}');
                }
            }
            public static String ofStatic(String name) { return "Hello " + name; }
            public String ofNothing() { return "nothing"; }
            public String ofContext(Context context) { return context.getFunctionVersion(); }
            public void ofVoid(int number) {}
            public void ofStreams(InputStream in, OutputStream out) throws IOException { in.transferTo(out); }
            public String overloaded(String event) { return "without"; }
            public String overloaded(String event, Context context) { return "with context"; }
            public String overloaded(String first, String second, String third) { return "too long"; }
        }
    """,
    "Order": """
        package example;
        public class Order {
            enum State { OPEN, PAID }
            private String shopName; private int count = 1; private Double price; private boolean express;
            private State state; private java.util.List<Item> items; private byte[] data;
            public String URL;
            public record Item(String name, long size, java.math.BigDecimal weight) {}
            public String getShopName() { return shopName; }
            public void setShopName(String s) { shopName = s; }
            public int getCount() { return count; } public void setCount(int c) { count = c; }
            public Double getPrice() { return price; } public void setPrice(Double p) { price = p; }
            public boolean isExpress() { return express; } public void setExpress(boolean e) { express = e; }
            public State getState() { return state; } public void setState(State s) { state = s; }
            public java.util.List<Item> getItems() { return items; }
            public void setItems(java.util.List<Item> i) { items = i; }
            public byte[] getData() { return data; } public void setData(byte[] d) { data = d; }
        }
    """,
    "Json": """
        package example;
        import java.util.*;
        public class Json {
            public Object any(Object event) { return event; }
            public Order bean(Order event) { return event; }
            public Order.Item[] records(List<Order.Item> event) { return event.toArray(new Order.Item[0]); }
            public java.math.BigInteger big(java.math.BigInteger event) { return event; }
            public String text(String event) { return event; }
            public Map<String, Object> odd() {
                Map<String, Object> odd = new TreeMap<>();
                odd.put("nan", Double.NaN); odd.put("optional", Optional.of(1)); odd.put("none", null);
                odd.put("array", new int[] {1, 2}); odd.put("control", "a\\u0001\\u2028");
                return odd;
            }
            public String half() { return "a\\ud83d"; }
            public Object instant() { return java.time.Instant.now(); }
            public Object circle() { List<Object> list = new ArrayList<>(); list.add(list); return list; }
        }
    """,
    "Failures": """
        package example;
        import java.util.Map;
        public class Failures {
            static int calls;
            public int handle(Map<String, String> event) {
                calls++;
                switch (event.getOrDefault("how", "")) {
                    case "exception": throw new Refused("no stock", new RuntimeException("the cause"));
                    case "silent": throw new IllegalStateException();
                    case "memory": return new byte[Integer.MAX_VALUE - 8].length;
                    case "stack": return handle(event);
                    case "exit": System.exit(3);
                    default: return calls;
                }
            }
            static class Refused extends RuntimeException {
                Refused(String message, Throwable cause) { super(message, cause); }
            }
            public static class BadConstructor {
                public BadConstructor() { throw new IllegalArgumentException("no shop"); }
                public void handle() {}
            }
            public static class BadStatic {
                static final int NUMBER = Integer.parseInt("x");
                public void handle() {}
            }
            public static class Slow {
                static { System.out.println("static code"); }
                public Slow() { System.out.println("constructor"); }
                public void handle() { System.out.println("handler"); }
            }
            public static class NeedsArgument { public NeedsArgument(int x) {} public void handle() {} }
            public class Inner { public void handle() {} }
        }
    """,
    "Machine": """
        package example;
        import com.amazonaws.services.lambda.runtime.*;
        import com.amazonaws.services.lambda.runtime.logging.LogLevel;
        import java.lang.management.ManagementFactory;
        import java.util.*;
        public class Machine {
            public Map<String, Object> context(Object event, Context context) {
                Map<String, Object> all = new HashMap<>();
                all.put("requestId", context.getAwsRequestId());
                all.put("function", context.getFunctionName());
                all.put("version", context.getFunctionVersion());
                all.put("arn", context.getInvokedFunctionArn());
                all.put("memory", context.getMemoryLimitInMB());
                all.put("group", context.getLogGroupName());
                all.put("stream", context.getLogStreamName());
                all.put("remaining", context.getRemainingTimeInMillis());
                all.put("client", context.getClientContext().getClient().getAppTitle());
                all.put("custom", context.getClientContext().getCustom());
                all.put("identity", context.getIdentity());
                all.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
                return all;
            }
            public void log(Object event, Context context) {
                System.out.println("zwei Läden\\nin two lines");
                System.err.print("on standard error\\n");
                context.getLogger().log("one event\\nof two lines");
                LambdaRuntime.getLogger().log("with level", LogLevel.WARN);
                context.getLogger().log("too low", LogLevel.DEBUG);
            }
            public Map<String, Object> machine() {
                Map<String, Object> all = new HashMap<>();
                all.put("variables", System.getenv());
                all.put("flags", ManagementFactory.getRuntimeMXBean().getInputArguments());
                all.put("heap_mb", Runtime.getRuntime().maxMemory() / 1024 / 1024);
                all.put("directory", System.getProperty("user.dir"));
                all.put("locale", Locale.getDefault().toString());
                all.put("release", Runtime.version().feature());
                all.put("encoding", java.nio.charset.Charset.defaultCharset().name());
                List<String> collectors = new ArrayList<>();
                for (var collector : ManagementFactory.getGarbageCollectorMXBeans()) {
                    collectors.add(collector.getName());
                }
                all.put("collectors", collectors);
                return all;
            }
        }
    """,
    "SQSEvent": """
        package com.amazonaws.services.lambda.runtime.events;
        public class SQSEvent { public int count(SQSEvent event) { return 1; } }
    """,
}
