package workshop;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Loads the function's classes: those of its package, then the jars in the package's folder `lib`,
 * then those of layers in `java/lib`, each folder in alphabetical order.
 *
 * <p>AWS Lambda developer guide, "Deploy Java Lambda functions with .zip or JAR file archives" and
 * "Working with layers for Java Lambda functions". Classes of the runtime go before the function's.
 */
final class TaskClassLoader extends URLClassLoader {
    TaskClassLoader(String taskRoot, String layers) throws MalformedURLException {
        super(classPath(taskRoot, layers), ClassLoader.getSystemClassLoader());
    }

    private static URL[] classPath(String taskRoot, String layers) throws MalformedURLException {
        List<URL> urls = new ArrayList<>();
        urls.add(new URL("file", null, taskRoot + "/"));
        addJars(urls, taskRoot + "/lib");
        addJars(urls, layers + "/java/lib");
        return urls.toArray(new URL[0]);
    }

    private static void addJars(List<URL> urls, String folder) throws MalformedURLException {
        String[] names = new File(folder).list();
        if (names == null) {
            return;
        }
        Arrays.sort(names);
        for (String name : names) {
            if (name.endsWith(".jar")) {
                urls.add(new URL("file", null, folder + "/" + name));
            }
        }
    }
}
