package com.amazonaws.services.lambda.runtime.logging;

/** UNDEFINED is what a message without a level has; it is never left out. */
public enum LogLevel {
    UNDEFINED,
    TRACE,
    DEBUG,
    INFO,
    WARN,
    ERROR,
    FATAL
}
