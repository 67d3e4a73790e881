import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.List;

/**
 * A function for the run by which the runtime's classes are archived. It uses what most functions use: a
 * bean, a record, the context, the log, an exception.
 */
public final class Example implements RequestHandler<Example.Sale, Example.Sale> {
    private static final int EVENTS = 3;

    private int events;

    @Override
    public Sale handleRequest(Sale sale, Context context) {
        context.getLogger().log("training, " + context.getRemainingTimeInMillis() + " ms left\n");
        System.out.println(sale.getItems());
        events++;
        if (events == EVENTS) {
            System.exit(0);
        }
        if (events == EVENTS - 1) {
            throw new IllegalStateException("training");
        }
        return sale;
    }

    public record Order(String item, long count) {}

    /** A bean. */
    public static final class Sale {
        private double number;
        private List<Object> items;
        private Order order;

        public double getNumber() {
            return number;
        }

        public void setNumber(double number) {
            this.number = number;
        }

        public List<Object> getItems() {
            return items;
        }

        public void setItems(List<Object> items) {
            this.items = items;
        }

        public Order getOrder() {
            return order;
        }

        public void setOrder(Order order) {
            this.order = order;
        }
    }
}
